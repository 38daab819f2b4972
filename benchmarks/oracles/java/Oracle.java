import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import com.sun.tools.javac.api.JavacTaskImpl;
import com.sun.tools.javac.code.Symbol.ClassSymbol;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.lang.model.element.Element;
import javax.lang.model.element.PackageElement;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

/**
 * Prints `importer TAB imported` for every file that another names a type of, as javac understands the sources.
 *
 * <p>Each line of standard input is one compilation: source path, class path and the list file of its sources, parted
 * by tabs. Types that javac can't find are passed over, and with them what is written through them. A file that makes
 * javac fail has a line of its own, without a tab.
 */
public final class Oracle {
  public static void main(String[] arguments) throws IOException {
    Set<String> edges = new TreeSet<>();
    for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
      String[] fields = line.split("\t", -1);
      analyze(fields[0], fields[1], Files.readAllLines(Path.of(fields[2])), edges);
    }
    edges.forEach(System.out::println);
  }

  private static void analyze(String sourcePath, String classPath, List<String> files, Set<String> edges)
      throws IOException {
    var compiler = ToolProvider.getSystemJavaCompiler();
    var manager = compiler.getStandardFileManager(diagnostic -> {}, null, StandardCharsets.UTF_8);
    List<String> options =
        Arrays.asList(
            "-proc:none", "-implicit:none", "-Xmaxerrs", "1", "-nowarn",
            // Without this an unknown import keeps javac from looking into any method.
            "-XDshould-stop.ifError=ATTR", "-sourcepath", sourcePath, "-classpath", classPath);
    var units = manager.getJavaFileObjectsFromStrings(files);
    var task = (JavacTaskImpl) compiler.getTask(null, manager, diagnostic -> {}, options, null, units);
    List<CompilationUnitTree> trees = new ArrayList<>();
    task.parse().forEach(trees::add);
    task.enter();
    for (CompilationUnitTree tree : trees) {
      Set<String> found = new TreeSet<>();
      try {
        Names names = new Names(Trees.instance(task), tree, found);
        for (Tree type : tree.getTypeDecls()) {
          Element element = names.elementOf(type);
          if (element != null) {
            task.analyze(List.of(element));
          }
        }
        names.scan(tree, null);
        edges.addAll(found);
      } catch (RuntimeException | AssertionError error) {
        // A switch whose types are unknown makes javac 17 fail.
        edges.add(tree.getSourceFile().getName());
      }
    }
  }

  private static final class Names extends TreePathScanner<Void, Void> {
    private final Trees trees;
    private final SourcePositions positions;
    private final CompilationUnitTree unit;
    private final String text;
    private final Set<String> edges;

    Names(Trees trees, CompilationUnitTree unit, Set<String> edges) throws IOException {
      this.trees = trees;
      this.positions = trees.getSourcePositions();
      this.unit = unit;
      this.text = unit.getSourceFile().getCharContent(true).toString();
      this.edges = edges;
    }

    Element elementOf(Tree type) {
      return trees.getElement(trees.getPath(unit, type));
    }

    @Override
    public Void visitIdentifier(IdentifierTree node, Void unused) {
      add(node, node.getName().toString());
      return null;
    }

    @Override
    public Void visitMemberSelect(MemberSelectTree node, Void unused) {
      add(node, node.getIdentifier().toString());
      return super.visitMemberSelect(node, unused);
    }

    /** Types that javac itself put in, for `var` and lambda parameters, are not in the text where they stand. */
    private void add(Tree node, String name) {
      int end = (int) positions.getEndPosition(unit, node);
      if (end < name.length() || end > text.length() || !text.startsWith(name, end - name.length())) {
        return;
      }
      Element element = trees.getElement(getCurrentPath());
      if (!(element instanceof ClassSymbol)) {
        return;
      }
      // A local class hangs on a method; an erroneous one may hang on nothing.
      while (element.getEnclosingElement() != null && !(element.getEnclosingElement() instanceof PackageElement)) {
        element = element.getEnclosingElement();
      }
      if (element instanceof ClassSymbol symbol) {
        JavaFileObject file = symbol.sourcefile;
        String target = file == null ? "" : file.getName();
        // Classes of the platform and of libraries have a bare name.
        if (Path.of(target).isAbsolute() && !target.equals(unit.getSourceFile().getName())) {
          edges.add(unit.getSourceFile().getName() + "\t" + target);
        }
      }
    }
  }
}
