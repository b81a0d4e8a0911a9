package main

import "slices"

// bugs are all of them, by where they are planted.
var bugs = slices.Concat(inThePolicy, inTheStore, inTheDoor, inTheGateway, inTheProcess, inTheLogin)
