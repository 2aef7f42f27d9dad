"""placeholder"""
def certificate_pdf(certificate): raise NotImplementedError
