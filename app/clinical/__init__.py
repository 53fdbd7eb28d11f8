"""What the protocol and the published scales say: values in, values out, no database and no web."""
