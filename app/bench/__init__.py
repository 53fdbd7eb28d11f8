"""`make bench`: how fast Marrow is on this machine, beside a raw driver measured in the same run."""
