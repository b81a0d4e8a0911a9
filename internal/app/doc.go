// Package app turns a Config into a running server: it opens the database,
// builds each part with its New, mounts the routes and closes everything again.
// It is the only package that sees all the others; it holds no rule of its own.
//
//	Config ──New──▶ App ──Serve──▶ public listener   routes.go
//	                    └─────────▶ admin socket      admin.go
//
// Start reading at Config, then New, then routes.go, which lists every path.
//
// What it does not do: parse requests, decide access, know SQL.
package app
