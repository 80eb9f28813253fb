"""Which weather delays which carrier? All flights out of New York in 2013."""
