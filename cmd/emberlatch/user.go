package main

type userCommand struct {
	Add userAddCommand `cmd:"" help:"Make an account. Example: emberlatch user add ana.json, with {\"username\":\"ana\",\"password\":\"…\",\"role\":\"patient\",\"fhirUser\":\"Patient/1\"}"`
}

type userAddCommand struct {
	where
	File string `arg:"" help:"The account as JSON, or - for standard input."`
}

// Run makes the account and prints it without its password.
func (c *userAddCommand) Run(s *session) error { return c.post(s, "/users", c.File) }
