"""What a send to more users than this machine holds would take on AWS: `make simulate`."""
