"""The rules that put a finding into a category: response, residual disease, graft-versus-host disease, engraftment."""

from app.clinical.rules.cns import CNS
from app.clinical.rules.engraftment import DONOR_CHIMERISM, ENGRAFTMENT, GRAFT_FAILURE
from app.clinical.rules.glucksberg import AGVHD_SECONDARY
from app.clinical.rules.gvhd_course import AGVHD_COURSE, CGVHD_COURSE, GVHD_KIND
from app.clinical.rules.magic import AGVHD
from app.clinical.rules.mrd import MRD
from app.clinical.rules.nih_cgvhd import CGVHD_DIAGNOSIS, CGVHD_GLOBAL, CGVHD_ORGAN
from app.clinical.rules.remission import (
    BEST_OVERALL_RESPONSE,
    DURATION_OF_RESPONSE,
    MOLECULAR_RELAPSE,
    MRD_CONVERSION,
    TIME_TO_CR,
)
from app.clinical.rules.response import RESPONSE
from app.clinical.rules.rule import Rule
from app.clinical.rules.vod import VOD_DIAGNOSIS, VOD_SEVERITY

CATEGORY_RULES: tuple[Rule, ...] = (
    RESPONSE,
    CNS,
    MRD,
    BEST_OVERALL_RESPONSE,
    TIME_TO_CR,
    DURATION_OF_RESPONSE,
    MRD_CONVERSION,
    MOLECULAR_RELAPSE,
    AGVHD,
    AGVHD_SECONDARY,
    AGVHD_COURSE,
    CGVHD_ORGAN,
    CGVHD_DIAGNOSIS,
    CGVHD_GLOBAL,
    CGVHD_COURSE,
    GVHD_KIND,
    VOD_DIAGNOSIS,
    VOD_SEVERITY,
    ENGRAFTMENT,
    GRAFT_FAILURE,
    DONOR_CHIMERISM,
)
