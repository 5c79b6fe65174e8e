"""`dlr up`: all parts kept alive, whatever ends, hangs or fills up."""
