"""Words of a text about code that say little about which code: English function words, and those of every report."""

from __future__ import annotations

_ENGLISH = (
    "a about above after again all almost already also although always am an and another any anyone anything are "
    "around as at away back be became because become been before being below between both but by came can cannot "
    "cant come could couldnt did didnt do does doesnt doing done dont down during each either else enough even "
    "ever every everything few first for from further get gets getting give given gives go goes going gone good "
    "got had has hasnt have havent having he her here him his how however i if im in instead into is isnt it its "
    "itself ive just keep kind know known last later least less let lets like likely little long look looks lot "
    "made make makes making many may maybe me mean means might mine more most much must my myself near need "
    "needed needs neither never new next no nobody none nor not nothing now of off often ok on once one only onto "
    "or other others otherwise our out over own part perhaps please possible possibly probably quite rather "
    "really same say says see seem seems seen several shall she should shouldnt simply since so some someone "
    "something sometimes somewhere soon still such sure take taken takes than that thats the their them then "
    "there these they thing things think this those though through thus to together too toward tried try trying "
    "two under unless until up upon us use used useful user users uses using usually very via want wanted wants "
    "was wasnt way ways we well went were what whatever when where whether which while who whole whom whose why "
    "will with within without wont work working works would wouldnt yes yet you your thank thanks hello hi expect "
    "expected expecting coauthored "
)
_REPORTS = (
    "actual actually behavior behaviour broken bug bugs code correct correctly current currently describe "
    "description detail details difference environment error errors example examples fail failed failing fails "
    "feature fix fixed fixes fixing follow following follows happen happened happening happens implement "
    "implementation implemented improve improved improvement incorrect incorrectly info information introduce "
    "introduced issue issues latest main minimal note notice observed occur occurs old output problem problems "
    "proposal proposed pull question reason related report reported reproduce reproducible reproduction request "
    "requests result results run running runs screenshot select shows simple snippet solution step steps suggest "
    "support supported supports sample tests traceback understand version versions workaround wrong wrongly bump "
    "clean cleanup commit followup minor misc patch pr refactor refactored refactoring release revert rework "
    "squash tweak typo unused wip signed add added adding adds change changed changes changing remove removed "
    "removes removing update updated updates "
)

STOP_WORDS = frozenset(_ENGLISH.split())
"""These count for nothing."""
WEAK_WORDS = frozenset(_REPORTS.split())
"""These stand in most reports and changes, but may be what a file is about."""
