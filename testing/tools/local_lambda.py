"""Functions of an account are that account's: MiniStack's CloudFormation, as it changes or deletes one, would end the processes of all
accounts' functions of the same name."""

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

invalidate = lambda_svc.invalidate_worker


def invalidate_own(name, qualifier=None, account=None, region=None):
    invalidate(name, qualifier=qualifier, account=account or get_account_id(), region=region or get_region())


lambda_svc.invalidate_worker = invalidate_own
