package register

// Metadata lets the tests count its members.
type Metadata = metadata
