package clientauth

// Counted is how many counters are kept.
func Counted(l *Limited) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.counts)
}
