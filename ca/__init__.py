"""Certificate authorities: root and TLS CAs as objects, and the membership CA as a server.

``issuer`` signs certificates and revocation lists and keeps its folder; ``subjects`` names
whom a certificate speaks of.  A network needs no more to be made.

The membership CA (Fabric: fabric-ca) is built of layers that can be used alone:

    Authority(AuthoritySettings(name, identities), issuer, chain, database, now=now)   authority.py
    Service([authority]).handle(Endpoint.ENROLL, Request(...)) -> Answer           service.py
    CaServer(service, "127.0.0.1:7054", tls), application(service)                 server.py, web.py

An authority has a key, profiles and a database (``database``, with a module for each table);
``context`` finds out who asks (``tokens``, ``secret_hash``), ``endpoints`` holds a module for
each noun of the interface, ``attributes`` and ``identity`` the rules of who may do what.
``settings`` reads fabric-ca-server-config.yaml, ``home`` opens the CAs of a folder,
``process`` is ``gridloom ca start``.
"""
