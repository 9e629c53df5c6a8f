"""The widgets of a notebook: the map, the lens and the film of the app, by the same modules."""
