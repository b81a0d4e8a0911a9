package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	root := flag.String("root", ".", "folder of the repository")
	only := flag.String("only", "", "plant those whose names hold this")
	flag.Parse()
	if err := run(*root, *only); err != nil {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(1)
	}
}

func run(root, only string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	began, missed, planted := time.Now(), 0, 0
	fmt.Printf("%-62s %-10s %-28s %s\n", "bug", "rows", "caught by", "time")
	for _, b := range bugs {
		if !strings.Contains(b.name, only) {
			continue
		}
		start := time.Now()
		by, err := b.plant(root)
		planted++
		switch {
		case err != nil:
			missed++
			by = "cannot be planted: " + err.Error()
		case by == "":
			missed++
			by = "NOBODY"
		}
		fmt.Printf("%-62s %-10s %-28s %s\n", b.name, b.rows, by, time.Since(start).Round(time.Second))
	}
	fmt.Printf("planted: %d bugs, %d caught, in %s\n", planted, planted-missed, time.Since(began).Round(time.Second))
	if missed > 0 {
		return fmt.Errorf("%d of them were not noticed, or could not be planted", missed)
	}
	return nil
}
