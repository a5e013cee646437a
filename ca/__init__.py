"""Certificate authorities: root and TLS CAs as objects (Fabric: fabric-ca and cryptogen).

``issuer`` signs certificates and revocation lists and keeps its folder; ``subjects`` names
whom a certificate speaks of.
"""
