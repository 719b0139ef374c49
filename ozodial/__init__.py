"""ozodial: from a spreadsheet of leads to a CloudAgent campaign, with a receipt for every row."""

__version__ = "0.1.0"
