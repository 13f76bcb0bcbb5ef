"""DynamoDB through PynamoDB: one file per table, and no table anywhere else."""
