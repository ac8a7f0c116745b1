"""The face of a licence: PDF/A-3 by typst, with its data attached."""
