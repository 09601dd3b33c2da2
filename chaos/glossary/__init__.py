"""Every word that a user of the laboratory meets: what it is, what it takes, and where to read on."""
