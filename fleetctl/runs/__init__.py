"""Any run with waves: who goes when, when to stop, and the loop of claims and visits. Knows no journey."""
