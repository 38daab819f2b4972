"""Names by which code reaches outside or around itself, by language: the longest that fits says what it is."""

from __future__ import annotations

from collections.abc import Mapping

NETWORK, PROCESS, DELETION = "network", "subprocess", "file deletion"
LOADING, EVALUATION, CRYPTO = "deserialisation", "evaluation of text", "weak cryptography"
SQL, UNSAFE, REFLECTION = "SQL put together", "unsafe code", "reflection"


def _table(rows: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    return {tuple(name.split(".")): kind for kind, names in rows.items() for name in names.split()}


PYTHON = _table(
    {
        NETWORK: "socket socketserver ssl urllib.request urllib3 requests httpx aiohttp http.client http.server ftplib"
        " smtplib poplib imaplib telnetlib xmlrpc paramiko websockets websocket asyncio.open_connection"
        " asyncio.start_server grpc boto3 botocore pycurl nntplib dns twisted zmq fabric webbrowser"
        " logging.config.listen",
        PROCESS: "subprocess os.system os.popen os.execl os.execle os.execlp os.execv os.execve os.execvp os.execvpe"
        " os.spawnl os.spawnle os.spawnlp os.spawnv os.spawnve os.spawnvp os.spawnvpe os.posix_spawn"
        " os.posix_spawnp os.fork os.forkpty os.startfile os.kill os.killpg pty popen2 commands"
        " os.execlpe multiprocessing.Process multiprocessing.Pool concurrent.futures.ProcessPoolExecutor"
        " pexpect sh plumbum asyncio.create_subprocess_exec"
        " asyncio.create_subprocess_shell asyncio.subprocess posix.system nt.system",
        DELETION: "os.remove os.unlink os.rmdir os.removedirs shutil.rmtree shutil.move *.unlink *.rmdir *.rmtree"
        " os.truncate",
        LOADING: "pickle cPickle _pickle dill cloudpickle marshal shelve jsonpickle yaml.load yaml.load_all"
        " yaml.unsafe_load yaml.full_load yaml.Loader yaml.UnsafeLoader joblib.load numpy.load torch.load"
        " pandas.read_pickle xml.etree xml.dom xml.sax lxml.etree.parse",
        EVALUATION: "eval exec compile builtins.eval builtins.exec builtins.compile code.interact"
        " code.InteractiveInterpreter codeop runpy execfile os.exec timeit.timeit",
        CRYPTO: "hashlib.md5 hashlib.sha1 ssl._create_unverified_context ssl.CERT_NONE"
        " ssl._create_default_https_context Crypto.Cipher.DES Crypto.Cipher.ARC4 Crypto.Cipher.DES3"
        " Crypto.Hash.MD5 *.MODE_ECB random.getrandbits",
        UNSAFE: "ctypes cffi mmap os.chmod os.chown os.setuid os.setgid sys.settrace sys.setprofile"
        " gc.get_objects *.load_extension",
        REFLECTION: "__import__ importlib.import_module importlib.__import__ importlib.util importlib.machinery imp"
        " zipimport operator.attrgetter operator.methodcaller pkgutil globals locals vars sys.modules"
        " builtins.__import__ __builtins__ inspect.currentframe sys._getframe"
        " types.CodeType types.FunctionType *.__subclasses__ *.__globals__ *.__code__"
        " getattr setattr",
    }
)
JAVASCRIPT = _table(
    {
        NETWORK: "http https http2 net dgram tls dns fetch XMLHttpRequest WebSocket EventSource axios got node-fetch"
        " undici request superagent ws socket.io socket.io-client navigator.sendBeacon ky needle nodemailer"
        " window.fetch globalThis.fetch window.open ssh2 RTCPeerConnection WebTransport importScripts",
        PROCESS: "child_process cluster worker_threads process.kill execa shelljs cross-spawn node-pty Deno.run"
        " Deno.Command Bun.spawn Bun.spawnSync Bun.$ bun.$ bun.spawn bun.spawnSync Worker SharedWorker zx",
        DELETION: "fs.unlink fs.unlinkSync fs.rm fs.rmSync fs.rmdir fs.rmdirSync fs.promises.unlink fs.promises.rm"
        " fs.promises.rmdir fs/promises.unlink fs/promises.rm fs/promises.rmdir rimraf fs-extra.remove"
        " fs-extra.removeSync del *.unlinkSync *.rmSync *.rmdirSync Deno.remove fs.truncate",
        LOADING: "v8.deserialize node-serialize serialize-javascript js-yaml.load xml2js *.dangerouslySetInnerHTML"
        " *.innerHTML *.outerHTML *.insertAdjacentHTML document.write document.writeln",
        EVALUATION: "eval Function vm vm2 window.eval globalThis.eval global.eval *.runInThisContext *.runInNewContext"
        " isolated-vm globalThis.Function window.Function *.constructor.constructor",
        CRYPTO: "crypto.createCipher crypto.pseudoRandomBytes crypto.DEFAULT_ENCODING md5 sha1",
        UNSAFE: "process.binding process.dlopen process.env.NODE_TLS_REJECT_UNAUTHORIZED ffi-napi WebAssembly"
        " *.__proto__ Object.setPrototypeOf",
        REFLECTION: "Reflect Proxy module._load Module._load require.cache module.createRequire process.mainModule"
        " Module.createRequire",
    }
)
GO = _table(
    {
        NETWORK: "net net/http net/rpc net/smtp net/url.Open golang.org/x/net golang.org/x/crypto/ssh"
        " google.golang.org/grpc github.com/valyala/fasthttp github.com/gorilla/websocket",
        PROCESS: "os/exec os.StartProcess syscall.Exec syscall.ForkExec os.FindProcess golang.org/x/sys/unix.Exec",
        DELETION: "os.Remove os.RemoveAll os.Truncate syscall.Unlink syscall.Rmdir",
        LOADING: "encoding/gob encoding/xml gopkg.in/yaml.v2",
        EVALUATION: "plugin text/template html/template.JS html/template.HTML html/template.URL",
        CRYPTO: "crypto/md5 crypto/sha1 crypto/des crypto/rc4 math/rand *.InsecureSkipVerify"
        " golang.org/x/crypto/ssh.InsecureIgnoreHostKey",
        UNSAFE: "unsafe syscall C os.Chmod os.Chown golang.org/x/sys",
        REFLECTION: "reflect",
    }
)
RUST = _table(
    {
        NETWORK: "std.net tokio.net reqwest hyper ureq curl async_std.net mio tonic tungstenite tokio_tungstenite"
        " socket2 isahc surf awc native_tls rustls actix_web axum warp",
        PROCESS: "std.process.Command tokio.process nix.unistd.execv nix.unistd.execvp nix.unistd.fork duct"
        " async_process std.os.unix.process libc.system libc.execve libc.execvp libc.fork",
        DELETION: "std.fs.remove_file std.fs.remove_dir std.fs.remove_dir_all tokio.fs.remove_file"
        " tokio.fs.remove_dir_all tokio.fs.remove_dir fs.remove_file fs.remove_dir fs.remove_dir_all",
        LOADING: "bincode serde_yaml rmp_serde serde_pickle ron postcard",
        EVALUATION: "libloading mlua rhai",
        CRYPTO: "md5 sha1 *.danger_accept_invalid_certs *.danger_accept_invalid_hostnames des rc4"
        " openssl.ssl.SslVerifyMode.NONE SslVerifyMode.NONE *.dangerous",
        UNSAFE: "std.mem.transmute core.mem.transmute mem.transmute std.ptr core.ptr libc std.mem.forget std.ffi"
        " std.alloc *.get_unchecked *.get_unchecked_mut *.from_raw_parts *.from_utf8_unchecked"
        " *.unwrap_unchecked *.assume_init std.intrinsics std.arch core.arch std.env.set_var",
        REFLECTION: "std.any",
    }
)
JAVA = _table(
    {
        NETWORK: "java.net java.nio.channels.SocketChannel java.nio.channels.ServerSocketChannel javax.net okhttp3"
        " org.apache.http org.apache.hc java.rmi javax.naming com.sun.net Socket ServerSocket HttpClient"
        " URLConnection HttpURLConnection InitialContext io.netty retrofit2",
        PROCESS: "ProcessBuilder java.lang.ProcessBuilder Runtime java.lang.Runtime ProcessHandle.destroy *.getRuntime",
        DELETION: "java.nio.file.Files.delete java.nio.file.Files.deleteIfExists Files.delete Files.deleteIfExists"
        " *.deleteOnExit *.deleteDirectory *.deleteRecursively *.forceDelete",
        LOADING: "java.io.ObjectInputStream ObjectInputStream *.readObject java.beans.XMLDecoder XMLDecoder"
        " com.thoughtworks.xstream XStream org.yaml.snakeyaml *.enableDefaultTyping *.activateDefaultTyping"
        " javax.xml.parsers DocumentBuilderFactory SAXParserFactory XMLInputFactory",
        EVALUATION: "javax.script ScriptEngineManager ScriptEngine groovy.lang.GroovyShell GroovyShell org.mvel2"
        " org.springframework.expression javax.tools *.parseExpression",
        CRYPTO: "javax.crypto.NullCipher NullCipher *.ALLOW_ALL_HOSTNAME_VERIFIER NoopHostnameVerifier"
        " TrustAllStrategy *.setHostnameVerifier X509TrustManager javax.net.ssl.X509TrustManager",
        UNSAFE: "sun.misc jdk.internal Unsafe System.load System.loadLibrary java.lang.System.load java.lang.foreign"
        " com.sun.jna System.setSecurityManager",
        REFLECTION: "java.lang.reflect Class.forName java.lang.Class.forName *.setAccessible *.getDeclaredMethod"
        " *.getDeclaredField *.getDeclaredMethods *.getDeclaredConstructor *.defineClass *.loadClass"
        " URLClassLoader java.lang.invoke MethodHandles",
    }
)


def kind_of(name: tuple[str, ...], table: Mapping[tuple[str, ...], str]) -> str:
    """What a dotted name reaches: by its longest beginning that the table has, or by its end for `*.end`."""
    for length in range(len(name), 0, -1):
        if kind := table.get(name[:length]):
            return kind
    if name and name[0].count("/") > 1:
        return kind_of((name[0].rpartition("/")[0],), table)
    for index in range(1, len(name)):
        for length in (1, 2):
            if kind := table.get(("*", *name[index : index + length])):
                return kind
    return ""
