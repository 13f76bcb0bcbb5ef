"""The costs of Fanfare on AWS, counted on the local stack: units, prices, measured sends, their bills."""
