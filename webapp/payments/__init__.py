"""The gateways that hold the money, behind the protocol of gateway.py."""
