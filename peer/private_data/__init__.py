"""Private data between peers: given out at endorsement, gathered at commit, found again later.

A transaction carries hashes only.  The cleartext goes to members of the collection:

``distribution``   an endorser sends it to other members before it signs
``coordinator``    who commits takes it from what he was sent, else asks other members
``reconciler``     what could not be had is looked for again, until it comes or expires
``responder``      answers others who ask, if they are members
``membership``     says who is a member, ``channel`` ties it all to one channel

(Fabric: gossip/privdata)
"""
