//go:build !linux

package db

func checkFilesystem(string) error { return nil }
