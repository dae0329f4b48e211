shared() { echo shared by all; }
