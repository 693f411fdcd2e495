package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Log is what a container wrote to its standard output and error, line by line, with the time of each line's end.
type Log struct {
	mutex sync.Mutex
	lines []line
	rest  []byte // of a line that is not complete
}

type line struct {
	at   time.Time
	text string
}

// Write is called by one process at a time, in pieces of any length.
func (l *Log) Write(piece []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.rest = append(l.rest, piece...)
	for {
		text, rest, complete := bytes.Cut(l.rest, []byte("\n"))
		if !complete {
			return len(piece), nil
		}
		l.lines = append(l.lines, line{time.Now(), string(text)})
		l.rest = rest
	}
}

func (l *Log) since(start time.Time) []line {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var found []line
	for _, line := range l.lines {
		if !line.at.Before(start) {
			found = append(found, line)
		}
	}
	return found
}

func (n *Node) serveLog(w http.ResponseWriter, r *http.Request) {
	pod := n.find(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil || pod.logs[r.PathValue("container")] == nil {
		http.Error(w, "no such Pod or container on this node", http.StatusNotFound)
		return
	}
	query := r.URL.Query()
	var start time.Time
	if at, err := time.Parse(time.RFC3339, query.Get("sinceTime")); err == nil {
		start = at
	}
	if seconds, err := strconv.Atoi(query.Get("sinceSeconds")); err == nil {
		start = time.Now().Add(-time.Duration(seconds) * time.Second)
	}
	lines := pod.logs[r.PathValue("container")].since(start)
	if tail, err := strconv.Atoi(query.Get("tailLines")); err == nil && tail < len(lines) {
		lines = lines[len(lines)-tail:]
	}
	w.Header().Set("Content-Type", "text/plain")
	for _, line := range lines {
		if query.Get("timestamps") == "true" {
			fmt.Fprint(w, line.at.UTC().Format(time.RFC3339Nano), " ")
		}
		fmt.Fprintln(w, line.text)
	}
}
