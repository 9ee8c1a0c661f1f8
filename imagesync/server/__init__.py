"""`imagesync registry DIRECTORY`: the OCI distribution spec over a folder of layouts.

Start it with `serve.serve` or, beside other work, with `serve.Server`. The WSGI application is `app.RegistryApp`.
"""
