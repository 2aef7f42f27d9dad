"""placeholder"""
def letter_pdf(letter): raise NotImplementedError
