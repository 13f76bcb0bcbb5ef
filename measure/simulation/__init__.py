"""A send to more users than this machine holds, simulated as on AWS: `make simulate`."""
