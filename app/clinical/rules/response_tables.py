"""Response criteria in acute lymphoblastic leukaemia: what each profile asks for, and one decision table for all."""

from app.clinical.rules.bounds import NONE
from app.clinical.rules.rule import Profile, Table

NR, SD, PD, RELAPSE = "NR", "SD", "PD", "RELAPSE"
PR, MLFS, CRI, CRP, CRH, CR = "PR", "MLFS", "CRi", "CRp", "CRh", "CR"
ORDER = (RELAPSE, NR, SD, PD, PR, MLFS, CRI, CRP, CRH, CR)
"""From the least established response. PD stands above NR only because it is NR with more known; none of the first four
is a response, so none of them is ever shown as a floor."""
NO_RESPONSE = frozenset((RELAPSE, NR, SD, PD))

READINGS = {
    "SEED000": "Registered protocol text of the single-arm trial: CR named with its limits, CRp inside CRi",
    "SEED000+CRH": "The same with CRh enabled; the limits of CRh are those of ELN AML 2022",
    "ELN2024": "Gökbuget et al., ELN ALL, Blood 2024;143(19):1891",
    "INOVATE": "INO-VATE criteria as printed in the inotuzumab prescribing information",
    "BLINA": "Blinatumomab label and trials",
    "NCI2010": "NCI workshop 2010, table 4a (PMC7272718)",
}
PROFILES = tuple(Profile(name, "profile", source) for name, source in READINGS.items())

CRITERIA = Table(
    title="What each profile asks for",
    columns=("criterion", *READINGS),
    rows=(
        ("marrow of a remission, % blasts", "<5", "<5", "<5", "<5", "<=5", "<5"),
        ("marrow of a relapse after CR, % blasts", ">=5", ">=5", ">=5", ">=5", ">5", ">=25"),
        ("marrow of a partial remission, % blasts", "<=25", "<=25", "<=25", "<=25", "<=25", "<=25"),
        ("decrease for a partial remission, % of baseline", ">=50", ">=50", ">=50", ">=50", ">=50", ">=50"),
        ("marrow of progression, multiple of baseline", ">=1.25", ">=1.25", ">=1.25", ">=1.25", ">=1.25", ">=1.25"),
        ("neutrophils recovered, 10^9/L", ">=1.0", ">=1.0", ">1.0", ">=1.0", ">1.0", ">=1.0"),
        ("platelets recovered, 10^9/L", ">=100", ">=100", ">100", ">=100", ">100", ">=100"),
        ("neutrophils of CRh, 10^9/L", NONE, ">=0.5", NONE, NONE, ">0.5", NONE),
        ("platelets of CRh, 10^9/L", NONE, ">=50", NONE, NONE, ">50", NONE),
        ("RBC transfusion independence", "required", "required", "required", NONE, NONE, NONE),
        ("blood blasts when missing", "absent", "absent", "absent", "missing", "absent", "absent"),
        ("MRD of a failure, %", NONE, NONE, ">=1", NONE, NONE, NONE),
        ("only platelets not recovered", CRP, CRP, CRI, CRI, CRP, CRI),
        ("neither recovered", MLFS, MLFS, MLFS, CRI, MLFS, CRI),
        ("partial remission lost", PD, PD, PD, PD, PD, RELAPSE),
        ("no response", NR, NR, NR, NR, NR, SD),
        (
            "responses it defines",
            "PR MLFS CRi CRp CR",
            "PR MLFS CRi CRp CRh CR",
            "PR MLFS CRi CR",
            "CRi CR",
            "CRh CR",
            "PR CRi CR",
        ),
        ("weeks without recurrence", NONE, NONE, NONE, NONE, NONE, "4"),
    ),
    source="As listed by profile",
    note="A hyphen: the profile does not ask for it.",
)

DECISION = Table(
    title="Decision table: the first row that fits decides",
    columns=("row", "when", "result", "flags"),
    rows=(
        ("1a", "prior=CR-type, EMD seen=present|new", RELAPSE, "EMD_RELAPSE"),
        ("1b", "prior=CR-type, blood seen=present", RELAPSE, ""),
        ("1c", "prior=CR-type, relapse marrow=yes", RELAPSE, ""),
        ("1d", "prior=CR-type, marrow=partial|high", "NE", "CATEGORY_UNDEFINED"),
        ("2", "EMD seen=new", PD, ""),
        ("3a", "prior=MLFS, marrow=partial|high", PD, ""),
        ("3b", "prior=PR, marrow=high", "partial remission lost", ""),
        ("4a", "marrow=missing, blood seen=present", "no response", "BM_MISSING"),
        ("4b", "marrow=missing", "NE", "BM_MISSING"),
        ("5", "prior=none, marrow=partial|high, rise=yes", PD, ""),
        ("6", "marrow=remission, blood=present", "no response", "PB_BLASTS_QUERY"),
        ("7", "marrow=remission, Auer rods=present", "no response", "AUER_QUERY"),
        ("7b", "marrow=remission, MRD=failure", "no response", "MRD_GE_1PCT"),
        ("8", "marrow=remission, EMD=present", "no response", "EMD_PERSISTENT"),
        ("9", "marrow=remission, EMD=unknown", "NE", "EMD_NOT_ASSESSED"),
        ("10", "marrow=remission, adequacy=aplastic", "NE", "MARROW_APLASTIC"),
        ("12", "marrow=remission, neutrophils=recovered, platelets=recovered, transfusion=independent", CR, ""),
        ("13", "marrow=remission, neutrophils=recovered, platelets=recovered", CRI, "RBC_DEPENDENT"),
        ("15", "marrow=remission, CRh counts=yes", CRH, ""),
        ("16", "marrow=remission, neutrophils=recovered", "only platelets not recovered", ""),
        ("17", "marrow=remission, platelets=recovered", CRI, ""),
        ("18", "marrow=remission", "neither recovered", ""),
        ("19a", "marrow=high", "no response", ""),
        ("20", "counts=not recovered", "no response", ""),
        ("19b", "blood=present", "no response", ""),
        ("19c", "EMD=present", "no response", ""),
        ("22a", "decrease=yes, EMD=unknown", "NE", "EMD_NOT_ASSESSED"),
        ("22b", "decrease=yes", PR, ""),
        ("22c", "", "no response", ""),
    ),
    source="Marrow, default reading of the published criteria",
    note=(
        "Rows 11, 14 and 21 (a count, the transfusion status or the baseline missing) follow from trying every value "
        "that is missing."
    ),
)

FACTS = Table(
    title="What the decision table asks",
    columns=("fact", "answers"),
    rows=(
        ("prior", "best state before this visit: none, PR, MLFS, or CR-type (CR, CRh, CRi, CRp)"),
        ("EMD seen", "extramedullary disease as entered: absent, present, new, or unknown"),
        ("EMD", "the same; not assessed is absent, with a flag, when there was none at baseline"),
        ("blood seen", "blood blasts as entered: absent, present, or unknown"),
        ("blood", "the same; missing is absent, with a flag, where the profile says so"),
        ("relapse marrow", "yes: at the limit of a relapse after CR"),
        ("marrow", "remission, partial, high; missing: not examined"),
        ("rise", "yes: from a known baseline at least by the multiple of progression"),
        ("Auer rods", "absent, present; missing is absent, with a flag"),
        ("MRD", "failure: at the limit of a failure, where the profile has one and MRD is known"),
        ("adequacy", "adequate, aplastic: at least 200 nucleated cells counted or cellularity at least 10 %"),
        ("neutrophils, platelets", "recovered, low"),
        ("transfusion", "independent, dependent; independent where the profile does not ask"),
        ("CRh counts", "yes: both counts at the limits of CRh"),
        ("counts", "not recovered: one of the two is low or missing"),
        ("decrease", "yes: from baseline by the share of a partial remission"),
    ),
    source="Marrow",
)
DATES = Table(
    title="Response date",
    columns=("parameter", "default", "unit"),
    rows=(("window between marrow and counts", 7, "days"),),
    source="Marrow, where the protocol says nothing else",
)
