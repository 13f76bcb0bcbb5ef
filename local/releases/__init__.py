"""Deployments as releases make them, rehearsed on an emulator of CloudFormation."""
