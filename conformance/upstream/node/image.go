package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Images finds the static program that stands for a container image: the one of the image's name, whatever its
// registry and its tag.
type Images struct{ folders []string }

func imagesIn(list string) Images { return Images{folders: filepath.SplitList(list)} }

// place puts the program of an image into a container's file system, and returns its path there.
func (i Images) place(image, root string) (string, error) {
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	target := filepath.Join(root, name)
	if _, err := os.Stat(target); err == nil {
		return "/" + name, nil // from a run before
	}
	for _, folder := range i.folders {
		source := filepath.Join(folder, name)
		if _, err := os.Stat(source); err != nil {
			continue
		}
		if os.Link(source, target) == nil {
			return "/" + name, nil
		}
		// A link may not cross file systems, nor, on most machines, lead to the file of another user.
		program, err := os.ReadFile(source)
		if err == nil {
			err = os.WriteFile(target, program, 0o755)
		}
		return "/" + name, err
	}
	return "", fmt.Errorf("image %s: no program %s in %s", image, name, strings.Join(i.folders, ", "))
}
