"""What a Keras file may name without being code: the classes and functions that both Kerases bring, by kind.

It is a list and not a question to the installed Keras, so that whatever a later Keras adds is looked at before a
stranger's file may use it. Left out is what runs code from a file or from elsewhere, or reads other files: see
`keras_scan`. This module imports nothing.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


LAYERS = _names(
    """
    AbstractRNNCell Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AddLoss AddMetric
    AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D AveragePooling2D
    AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BaseRandomLayer BatchNormalization BatchNormalizationBase
    BatchNormalizationV1 BatchNormalizationV2 Bidirectional CategoryEncoding CenterCrop Concatenate
    ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
    Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D
    Convolution2DTranspose Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D CuDNNGRU
    CuDNNLSTM CutMix Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout DynamicEmbedding
    DynamicLookup ELU EinsumDense Embedding Equalization Flatten GRU GRUCell GRUCellV1 GRUCellV2 GRUV1 GRUV2
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing
    Hashing Identity InputLayer IntegerLookup LSTM LSTMCell LSTMCellV1 LSTMCellV2 LSTMV1 LSTMV2 Layer
    LayerNormalization LeakyReLU LinearModel LocallyConnected1D LocallyConnected2D Masking MaxNumBoundingBoxes
    MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MixUp
    MultiHeadAttention Multiply Normalization PReLU Permute Pipeline PreprocessingLayer RMSNormalization RNN
    RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomElasticTransform RandomErasing RandomFlip RandomFourierFeatures RandomGaussianBlur RandomGrayscale
    RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
    RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling Reshape
    Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D
    SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D
    SpatialDropout3D SpectralNormalization StackedRNNCells StringLookup Subtract SyncBatchNormalization
    TextVectorization ThresholdedReLU TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D
    WideDeepModel Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """
)
"""Layers, RNN cells and preprocessing layers."""

MODELS = _names(
    """
    Functional Model Sequential
    """
)
"""Models that a configuration describes whole."""

WEIGHTS = _names(
    """
    Constant Constraint GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer Initializer L1
    L1L2 L2 LecunNormal LecunUniform MaxNorm MinMaxNorm NonNeg Ones Orthogonal OrthogonalInitializer
    OrthogonalRegularizer RadialConstraint RandomNormal RandomUniform Regularizer STFT STFTInitializer
    TruncatedNormal UnitNorm VarianceScaling Zeros constant glorot_normal glorot_uniform he_normal he_uniform
    identity l1 l1_l2 l2 lecun_normal lecun_uniform max_norm min_max_norm non_neg ones orthogonal
    orthogonal_regularizer radial_constraint random_normal random_uniform stft truncated_normal unit_norm
    variance_scaling zeros
    """
)
"""Initializers, regularizers and constraints."""

LOSSES = _names(
    """
    BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalGeneralizedCrossEntropy CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence
    LogCosh Loss MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError
    Poisson SparseCategoricalCrossentropy SquaredHinge Tversky
    """
)
"""Losses."""

METRICS = _names(
    """
    AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy
    CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives
    Hinge IoU KLDivergence LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU
    MeanMetricWrapper MeanRelativeError MeanSquaredError MeanSquaredLogarithmicError MeanTensor Metric OneHotIoU
    OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score Recall RecallAtPrecision
    RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy SparseCategoricalCrossentropy
    SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives
    TruePositives
    """
)
"""Metrics."""

OPTIMIZERS = _names(
    """
    Adadelta Adafactor Adagrad Adam AdamW Adamax CosineDecay CosineDecayRestarts ExponentialDecay Ftrl
    InverseTimeDecay Lamb LearningRateSchedule Lion LossScaleOptimizer MultiOptimizer Muon Nadam Optimizer
    OptimizerMap PiecewiseConstantDecay PolynomialDecay RMSprop SGD ScheduleFreeAdamW
    """
)
"""Optimizers, their wrappers and schedules."""

POLICIES = _names(
    """
    AWQConfig AWQDTypePolicy AbsMaxQuantizer DTypePolicy DTypePolicyMap Float8QuantizationConfig FloatDTypePolicy
    GPTQConfig GPTQDTypePolicy Int4DTypePolicy Int4QuantizationConfig Int8QuantizationConfig Policy
    QuantizationConfig QuantizedDTypePolicy QuantizedFloat8DTypePolicy Quantizer SeedGenerator
    """
)
"""Dtype policies, quantizers and generators of random numbers."""

CLASSES = LAYERS | MODELS | WEIGHTS | LOSSES | METRICS | OPTIMIZERS | POLICIES
"""All of them."""

FUNCTIONS = _names(
    """
    KLD MAE MAPE MSE MSLE binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy
    categorical_hinge celu circle concordance_correlation cosine_similarity ctc dice elu exponential gelu glu
    hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh hinge huber kl_divergence kld
    kullback_leibler_divergence leaky_relu linear log_cosh log_sigmoid log_softmax logcosh mae mape
    mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mish mse
    msle pearson_correlation poisson relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign
    sparse_categorical_accuracy sparse_categorical_crossentropy sparse_plus sparse_sigmoid
    sparse_top_k_categorical_accuracy sparsemax squared_hinge squareplus swish tanh tanh_shrink threshold
    top_k_categorical_accuracy tversky
    """
)
"""Activations, losses and metrics that are functions."""

TENSORFLOW_ROOMS = _names(
    """
    __operators__ bitwise dtypes image linalg math nn quantization ragged random sets signal sparse strings
    """
)
"""Modules of TensorFlow's API that only compute, as operator layers of Keras 2 name them."""

TENSORFLOW_FUNCTIONS = _names(
    """
    abs acos acosh add add_n argmax argmin argsort as_string asin asinh atan atan2 atanh batch_gather
    batch_to_space batch_to_space_nd bitcast boolean_mask broadcast_dynamic_shape broadcast_static_shape
    broadcast_to cast clip_by_global_norm clip_by_norm clip_by_value complex concat constant convert_to_tensor cos
    cosh cumsum depth_to_space div divide dynamic_partition dynamic_stitch edit_distance eig eigvals einsum
    ensure_shape equal exp expand_dims extract_volume_patches eye fftnd fill fingerprint floor floordiv floormod
    gather gather_nd greater greater_equal guarantee_const histogram_fixed_width histogram_fixed_width_bins
    identity identity_n ifftnd irfftnd less less_equal linspace log log1p logical_and logical_not logical_or
    matmul matrix_square_root maximum meshgrid minimum mod multiply negative norm not_equal one_hot ones ones_like
    pad parallel_stack pow range rank realdiv reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean
    reduce_min reduce_prod reduce_sum repeat required_space_to_batch_paddings reshape reverse reverse_sequence
    rfftnd roll round rsqrt saturate_cast scalar_mul scatter_nd searchsorted sequence_mask shape shape_n sigmoid
    sign sin sinh size slice sort space_to_batch space_to_batch_nd space_to_depth split sqrt square squeeze stack
    stop_gradient strided_slice subtract tan tanh tensor_scatter_nd_add tensor_scatter_nd_max
    tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile to_float to_int32 to_int64
    transpose truediv truncatediv truncatemod tuple unique unique_with_counts unravel_index unstack where zeros
    zeros_like
    """
)
"""Functions of TensorFlow's top level that only compute, those of TensorFlow 1 among them."""

TENSORFLOW_READERS = _names("""fixed_unigram_candidate_sampler""")
"""Functions inside of these modules that read a file nevertheless."""
