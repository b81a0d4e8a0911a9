package push

// Counted is for tests.
var Counted = counted
