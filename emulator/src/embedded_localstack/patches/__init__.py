"""One module for each part of LocalStack 4.14 that differs from AWS, or writes outside its folder.

Named after its service.
"""
