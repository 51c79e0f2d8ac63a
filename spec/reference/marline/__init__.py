"""The executable specification of Marline, version 1. One module per section of ../../marline.md."""
