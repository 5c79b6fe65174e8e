"""The same endpoint as tutorials write it: what somebody would have without this project."""
