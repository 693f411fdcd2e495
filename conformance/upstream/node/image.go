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

// place puts the program of an image into a container's file system, with the files of the folder that is called after it, and
// returns its path there.
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
		if err := placeFiles(source+".files", root); err != nil {
			return "", err
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

func placeFiles(folder, root string) error {
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, entry.Name()), content, 0o644); err != nil {
			return err
		}
	}
	return err
}
