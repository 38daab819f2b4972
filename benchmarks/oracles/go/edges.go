// Prints what go/types says of a tree: for linux/amd64 without cgo, every use of another file's package-level object.
//
// One line each, tab-separated: `file PATH` for a file that was checked, `edge FROM TO` for a use, `blank FROM TO` for
// `import _`, `unknown FROM TO` for a name that the checker gave up on (what it hangs on is not installed) and that
// could mean an object of TO. Third-party packages are not needed: what comes from them has no type.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// A folder's files that one `go build` would compile together.
type unit struct {
	path, folder, module, name string
	library, tests             []*ast.File
	checked                    *types.Package
	isOpen                     bool
}

type oracle struct {
	root    string
	files   *token.FileSet
	context build.Context
	std     types.ImporterFrom
	modules map[string]string  // folder → module path
	units   map[string][]*unit // import path → the packages of its folders
	lines   map[string]bool
	links   map[*ast.File]bool // files that are symbolic links: they define, but import nothing of their own
}

func main() {
	root, err := filepath.Abs(os.Args[1])
	if err != nil {
		panic(err)
	}
	build.Default.CgoEnabled, build.Default.GOOS, build.Default.GOARCH = false, "linux", "amd64"
	files := token.NewFileSet()
	o := &oracle{
		root: root, files: files, context: build.Default,
		std:     importer.ForCompiler(files, "source", nil).(types.ImporterFrom),
		modules: map[string]string{}, units: map[string][]*unit{}, lines: map[string]bool{},
		links: map[*ast.File]bool{},
	}
	// The newest language: what this Go doesn't know yet is an error that it goes on after.
	for minor := 1; minor < 60; minor++ {
		tag := fmt.Sprintf("go1.%d", minor)
		o.context.ReleaseTags = append(o.context.ReleaseTags, tag)
	}
	o.readModules()
	o.readFolders()
	o.checkAll()
	o.print()
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

func (o *oracle) readModules() {
	o.walk(func(folder string) {
		content, err := os.ReadFile(filepath.Join(o.root, folder, "go.mod"))
		if found := moduleLine.FindSubmatch(content); err == nil && found != nil {
			o.modules[folder] = string(found[1])
		}
	})
}

func (o *oracle) walk(visit func(folder string)) {
	_ = filepath.WalkDir(o.root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		base := entry.Name()
		if name != o.root && (base == "vendor" || base == "testdata" || base[0] == '.' || base[0] == '_') {
			return filepath.SkipDir
		}
		folder, _ := filepath.Rel(o.root, name)
		visit(filepath.ToSlash(folder))
		return nil
	})
}

func (o *oracle) readFolders() {
	o.walk(func(folder string) {
		module, ok := o.moduleOf(folder)
		if !ok {
			return
		}
		inner, _ := filepath.Rel(module, folder)
		where := path.Join(o.modules[module], filepath.ToSlash(inner))
		byName := map[string]*unit{}
		entries, _ := os.ReadDir(filepath.Join(o.root, folder))
		for _, entry := range entries {
			o.readFile(folder, where, module, entry.Name(), byName)
		}
		for _, name := range sortedNames(byName) {
			o.units[where] = append(o.units[where], byName[name])
		}
	})
}

func (o *oracle) readFile(folder, where, module, name string, byName map[string]*unit) {
	if !strings.HasSuffix(name, ".go") {
		return
	}
	directory := filepath.Join(o.root, folder)
	if ok, err := o.context.MatchFile(directory, name); err != nil || !ok {
		return
	}
	file, err := parser.ParseFile(o.files, filepath.Join(directory, name), nil, parser.SkipObjectResolution)
	if err != nil {
		return
	}
	if info, err := os.Lstat(filepath.Join(directory, name)); err == nil && info.Mode().IsRegular() {
		o.lines["file\t"+path.Join(folder, name)] = true
	} else {
		o.links[file] = true
	}
	u := byName[file.Name.Name]
	if u == nil {
		u = &unit{path: where, folder: folder, module: module, name: file.Name.Name}
		byName[u.name] = u
	}
	if strings.HasSuffix(name, "_test.go") {
		u.tests = append(u.tests, file)
	} else {
		u.library = append(u.library, file)
	}
}

// nameOpaque keeps go/types from calling what it can't import `v3` after the last element of its path.
func (o *oracle) nameOpaque(u *unit, file *ast.File) {
	for _, item := range file.Imports {
		where, _ := strconv.Unquote(item.Path.Value)
		isVersioned := strings.Contains(where, "/") && versionElement.MatchString(path.Base(where))
		if item.Name == nil && isVersioned && o.find(where, u.module) == nil {
			item.Name = &ast.Ident{NamePos: item.Path.Pos(), Name: path.Base(path.Dir(where))}
		}
	}
}

var versionElement = regexp.MustCompile(`^v[0-9]+$`)

func (o *oracle) moduleOf(folder string) (string, bool) {
	for {
		if _, ok := o.modules[folder]; ok {
			return folder, true
		}
		if folder == "." {
			return "", false
		}
		folder = path.Dir(folder)
	}
}

func (o *oracle) checkAll() {
	for _, units := range o.units {
		for _, u := range units {
			o.library(u)
			if len(u.tests) == 0 {
				continue
			}
			subject := o.subject(u)
			files := u.tests
			if subject == nil {
				files = append(append([]*ast.File{}, u.library...), u.tests...)
			}
			o.check(u, files, u.tests, subject)
		}
	}
}

// subject is the package that an external test package tests, its own tests included.
func (o *oracle) subject(u *unit) *types.Package {
	for _, other := range o.units[u.path] {
		if other.folder == u.folder && other.name+"_test" == u.name && len(u.library) == 0 {
			files := append(append([]*ast.File{}, other.library...), other.tests...)
			return o.check(other, files, nil, nil)
		}
	}
	return nil
}

func (o *oracle) library(u *unit) *types.Package {
	if u.checked == nil && !u.isOpen && len(u.library) > 0 {
		u.isOpen = true
		u.checked = o.check(u, u.library, u.library, nil)
		u.isOpen = false
	}
	return u.checked
}

type local struct {
	*oracle
	unit    *unit
	subject *types.Package
}

func (l local) Import(wanted string) (*types.Package, error) {
	return l.ImportFrom(wanted, "", 0)
}

func (l local) ImportFrom(wanted, _ string, _ types.ImportMode) (*types.Package, error) {
	if l.subject != nil && wanted == l.unit.path {
		return l.subject, nil
	}
	if found := l.find(wanted, l.unit.module); found != nil {
		if checked := l.library(found); checked != nil {
			return checked, nil
		}
	}
	if strings.Contains(strings.Split(wanted, "/")[0], ".") || wanted == "C" {
		return nil, errors.New("not installed")
	}
	return l.std.ImportFrom(wanted, l.root, 0)
}

func (o *oracle) find(wanted, module string) *unit {
	var best *unit
	for _, u := range o.units[wanted] {
		if len(u.library) == 0 || u.name == "documentation" {
			continue
		}
		if best == nil || (u.module == module && best.module != module) || (best.name == "main" && u.name != "main") {
			best = u
		}
	}
	return best
}

func (o *oracle) check(u *unit, files, report []*ast.File, subject *types.Package) *types.Package {
	info := &types.Info{
		Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	config := types.Config{Importer: local{o, u, subject}, Error: func(error) {}, FakeImportC: true}
	for _, file := range files {
		o.nameOpaque(u, file)
	}
	checked, _ := config.Check(u.path, o.files, files, info)
	for _, file := range report {
		if o.links[file] {
			continue
		}
		o.report(u, file, checked, info)
	}
	return checked
}

func (o *oracle) report(u *unit, file *ast.File, checked *types.Package, info *types.Info) {
	from := o.nameOf(file.Pos())
	imported := map[string]*types.Package{}
	for _, item := range file.Imports {
		where, _ := strconv.Unquote(item.Path.Value)
		target := o.find(where, u.module)
		if target == nil {
			continue
		}
		if item.Name != nil && item.Name.Name == "_" {
			for _, to := range o.initialised(target) {
				o.add("blank", from, to)
			}
		} else if item.Name != nil {
			imported[item.Name.Name] = target.checked
		} else {
			imported[target.name] = target.checked
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.Ident:
			if used := info.Uses[node]; used != nil {
				o.addObject("edge", from, used)
			} else if info.Defs[node] == nil && checked != nil {
				o.addObject("unknown", from, checked.Scope().Lookup(node.Name))
			}
		case *ast.SelectorExpr:
			head, ok := node.X.(*ast.Ident)
			if ok && info.Uses[head] == nil && imported[head.Name] != nil {
				o.addObject("unknown", from, imported[head.Name].Scope().Lookup(node.Sel.Name))
			}
		}
		return true
	})
}

func (o *oracle) addObject(kind, from string, object types.Object) {
	if object == nil || object.Pkg() == nil || object.Parent() != object.Pkg().Scope() {
		return
	}
	o.add(kind, from, o.nameOf(object.Pos()))
}

func (o *oracle) add(kind, from, to string) {
	if to != "" && from != to {
		o.lines[kind+"\t"+from+"\t"+to] = true
	}
}

func (o *oracle) initialised(u *unit) []string {
	var found []string
	for _, file := range u.library {
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && function.Recv == nil && function.Name.Name == "init" {
				found = append(found, o.nameOf(file.Pos()))
				break
			}
		}
	}
	if len(found) == 0 {
		found = []string{o.nameOf(u.library[0].Pos())}
	}
	return found
}

// nameOf is empty for what lies outside the tree, and for what has no source, such as package unsafe.
func (o *oracle) nameOf(position token.Pos) string {
	file := o.files.File(position)
	if file == nil {
		return ""
	}
	// Not the name that a //line comment gives.
	where, err := filepath.EvalSymlinks(file.Name())
	if err != nil {
		return ""
	}
	name, err := filepath.Rel(o.root, where)
	if err != nil || strings.HasPrefix(name, "..") {
		return ""
	}
	return filepath.ToSlash(name)
}

func (o *oracle) print() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := make([]string, 0, len(o.lines))
	for line := range o.lines {
		lines = append(lines, line)
	}
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
}

func sortedNames(units map[string]*unit) []string {
	var names []string
	for name := range units {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
