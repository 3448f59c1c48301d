"""Objects at a URL that many machines share.

An object is read and written as a whole. Of two machines that create the same one at the same time, one succeeds and
the other is told so.
"""
