"""The four-property check (四性检测, DA/T 70): authenticity, integrity, usability, safety.

report = FourPropertyCheck(verifier)(manifest, received, surroundings)
"""
