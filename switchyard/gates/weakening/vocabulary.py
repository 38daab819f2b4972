"""The words of assertion libraries, without underscores and in lower case, by what they claim."""

from __future__ import annotations

from switchyard.gates.weakening.tokens import words_of

ROOTS = words_of(
    "expect assertThat Expect assert_that Ω assertThatThrownBy assertThatExceptionOfType assertThatCode"
    " assertThatNoException expectTypeOf expectThat assertThatObject assertWithMessage StepVerifier Eventually"
    " Consistently expectSaga then"
)
"""Calls whose argument is the subject of the matchers chained to them."""
OF_ERRORS = frozenset(("assertThatThrownBy", "assertThatExceptionOfType"))
VERIFIERS = frozenset(
    ("verify", "inOrder", "verifyNoMoreInteractions", "verifyNoInteractions", "verifyZeroInteractions")
)
TRUE = frozenset(("asserttrue", "true", "assert", "ok", "istrue", "debugassert", "assertok", "betrue"))
FALSE = frozenset(("assertfalse", "false", "isfalse", "refute", "notok", "isnotok", "befalse"))
PAIRS = words_of(
    "assertequal assertequals equal equals asserteq debugasserteq strictequal deepequal deepstrictequal tobe"
    " toequal tostrictequal isequalto issameas eql eq deep assertsame assertis same exactly equalvalues"
    " assertarrayequals assertiterableequals assertlistequal assertdictequal asserttupleequal assertsetequal"
    " assertcountequal assertmultilineequal assertsequenceequal jsoneq elementsmatch containsexactly"
    " containsexactlyinanyorder containsexactlyelementsof isequaltocomparingfieldbyfield isequalbycomparingto"
    " haveproperty tohaveproperty returns tohavetextcontent tohavevalue tohaveattribute toequaltypeof"
    " assertlinesmatch yamleq is equalerror erroris erroras errorisas partialdeepstrictequal"
    " assertquerysetequal assertarrayequal assertnumqueries hasvalue hastostring bethe isequalcomparingto"
    " usingrecursivecomparison tohaveclass beequivalentto beidenticalto exactlyinanyorder assertstreq"
    " expectnext assertjsonequal assertstringequal assertstdout isequalsignoringcase has toberesolvedto"
    " assertframeequal assertseriesequal assertindexequal assertdataeq eqnice asserteqprinted"
)
EXPECTED_FIRST = words_of(
    "Equal EqualValues Exactly Same JSONEq ElementsMatch assertEquals assertSame assertArrayEquals"
    " assertIterableEquals assertLinesMatch"
)
"""Of testify and JUnit: the expected value comes before the actual one."""
CLOSE = words_of(
    "assertalmostequal assertallclose assertarrayalmostequal assertarrayalmostequalnulp assertapproxequal"
    " tobecloseto iscloseto indelta inepsilon closeto approximately assertrelativeeq assertabsdiffeq"
    " assertulpseq assertapproxeq isclosetowithin indeltaslice benumerically benumericallyequal"
)
DIGITS = words_of("assertalmostequal tobecloseto assertarrayalmostequal assertalmostequals assertapproxequal")
"""Of these the number after the expected value counts digits."""
UNEQUAL = words_of(
    "assertnotequal assertnotequals notequal notstrictequal notdeepequal notdeepstrictequal assertne"
    " isnotequalto assertnotsame notsame isnotsameas debugassertne"
)
CONTAINS = words_of(
    "errorcontains assertin contains assertcontains include includes tocontain tocontainequal tomatchobject"
    " containsentry containskey containsall containssequence subset containselement containselements"
    " haskeyvalue tomatchtypeof containsonly containsanyof contain members keys havekey havekeywithvalue"
    " containsubstring containelement consistof assertdictcontainssubset hasitem hasentry"
    " assertcontainsexactly anymatch property"
)
EXCLUDES = words_of("assertnotin notcontains doesnotcontain doesnotcontainkey notinclude assertnotcontains")
MATCHES = words_of(
    "assertregex assertregexpmatches regexp tomatch matches match assertmatches hasmessage"
    " hasmessagecontaining hasmessagematching containspattern assertnotregex matchregexp withmessage"
    " withmessagecontaining hasmessagestartingwith messagecontaining"
)
ENDS = words_of("startswith endswith hasprefix hassuffix startwith endwith haveprefix havesuffix")
PATTERN = frozenset(("assertmatches", "debugassertmatches"))
RAISES = words_of(
    "assertraises raises assertthrows assertthrowsexactly throws tothrow tothrowerror rejects throw errorif"
    " iserror isinstanceofexception tothrowerrormatchinginlinesnapshot panics panicswitherror panicswithvalue"
    " assertraisesregex assertraisesmessage assertwarns warns assertwarnsregex deprecatedcall haveoccurred"
    " matcherror assertthatthrownby assertthatexceptionoftype verifyerror verifyerrormatches throwserror"
    " isthrownby hascauseinstanceof hasrootcauseinstanceof rejectedwith rejected assertfailure"
)
NO_RAISE = words_of(
    "doesnotthrow assertdoesnotthrow nottothrow notpanics doesnotreject doesnotthrowanyexception succeed"
    " assertthatnoexception"
)
NULL = words_of("noerror assertisnone assertnull isnull tobenull nil isnil null tobeundefined undefined benil")
PRESENT = words_of(
    "error assertisnotnone assertnotnull isnotnull notnil isnotnil tobedefined exist exists tobeinthedocument"
    " notnull isdefined notzero"
)
TYPE = words_of(
    "assertisinstance isinstanceof tobeinstanceof instanceof a an isexactlyinstanceof istype tobetypeof"
    " implements beassignabletotypeof assertinstanceof isnotinstanceof typeof beinstanceof"
)
BOUNDS = {
    **dict.fromkeys(
        words_of("isafter assertgreater greater isgreaterthan tobegreaterthan above greaterthan begreaterthan"), ">"
    ),
    **dict.fromkeys(
        words_of(
            "assertgreaterequal greaterorequal isgreaterthanorequalto tobegreaterthanorequal atleast least gte"
            " isatleast"
        ),
        ">=",
    ),
    **dict.fromkeys(words_of("isbefore assertless less islessthan tobelessthan below lessthan belessthan"), "<"),
    **dict.fromkeys(
        words_of("assertlessequal lessorequal islessthanorequalto tobelessthanorequal atmost most lte isatmost"), "<="
    ),
}
LENGTH = words_of(
    "len hassize tohavelength haslength lengthof length havelen hassamesizeas assertlen size havelength"
    " iscount tohavecount assertcount expectnextcount"
)
EMPTY = words_of("empty isempty tobeempty beempty assertempty zero iszero bezero")
NOT_EMPTY = words_of("notempty isnotempty assertnotempty")
SNAPSHOT = words_of(
    "tomatchsnapshot tomatchinlinesnapshot assertsnapshot assertdebugsnapshot assertjsonsnapshot"
    " assertyamlsnapshot tomatchfilesnapshot matchsnapshot assertinlinesnapshot tohavescreenshot"
    " assertcmdsnapshot assertsnapshots"
)
CALLED_WITH = words_of(
    "assertcalledwith assertcalledoncewith assertanycall asserthascalls tohavebeencalledwith calledwith"
    " tohavebeenlastcalledwith tohavebeennthcalledwith tobecalledwith calledoncewith tohavereturnedwith"
    " calledoncewithexactly assertawaitedwith assertawaitedoncewith lastcalledwith calledwithexactly"
    " tohavebeenexactlycalledoncewith assertexpectations"
)
CALLED_TIMES = words_of(
    "assertcalledonce tohavebeencalledtimes calledonce callcount tobecalledtimes numberofcalls"
    " assertnumberofcalls assertawaitedonce calledtwice tohavebeencalledonce"
)
CALLED = words_of("assertcalled tohavebeencalled called tobecalled assertawaited tohavereturned")
UNCALLED = words_of("assertnotcalled notcalled assertnotawaited")
TRUTHY = frozenset(("tobetruthy",))
FALSY = frozenset(("tobefalsy",))
FILLERS = words_of("to be been have that which and with at of is was resolves rejects deep own does")
HELPERS = ("assert", "check", "verify", "expect", "ensure", "require", "should", "must")
FAILURES = words_of("fail Fail FailNow panic unreachable AssertionError AssertionFailedError")
