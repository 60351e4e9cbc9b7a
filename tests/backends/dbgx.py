import signing.errors as e
o=e.ProofFailed.__init__
def n(self,*a,**k):
    print("PROOF",a); o(self,*a,**k)
e.ProofFailed.__init__=n
