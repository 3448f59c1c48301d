"""One stage a module: `run(request, folder)` takes a request record and returns a response record."""
