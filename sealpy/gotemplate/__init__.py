"""the `.tmpl` files of cluster images, as Go's text/template renders them."""
