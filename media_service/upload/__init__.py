"""The toolbox of uploads: multipart bodies, forms, limits, and how a picture is stored."""
