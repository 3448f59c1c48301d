"""Signatures over a published output, by whoever vouches for it.

They are files of their own beside the manifest, which can't hold its own signature: DSSE envelopes around the manifest
and around the verdict, and an OpenSSF model signature over the whole folder. Both need a package that an installation
may lack, so that packages are imported where a key is used, and an output without signatures is read without them.

The room neither judges an output nor knows where outputs lie.
"""
