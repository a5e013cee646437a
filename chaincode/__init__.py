"""chaincode."""
