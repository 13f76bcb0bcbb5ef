"""Groups and their members, described."""

from fanfare.api import groups
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import JSON, DescribedAnswer, DescribedBody, Operation, Operations, kii

_MEMBERS = "members and the administrator"
_OWNER = "the owner and the administrator"

OPERATIONS: Operations = {
    groups.create: Operation(
        summary="Make a group; the members that exist are added, the others told",
        who="users, for themselves or for the user of owner; the administrator, for the user of owner",
        body=DescribedBody(
            type=groups.GroupCreation,
            example={"name": "Team", "members": []},
            media=(kii("GroupCreationRequest"), JSON),
        ),
        answers=(DescribedAnswer(201, answers.NewGroup, (kii("GroupCreationResponse"),), ("Location",)),),
        errors=(errors.UserNotFound, errors.GroupAlreadyExists),
    ),
    groups.of: Operation(
        summary="List the groups that a user is in, or owns; one of is_member and owner is needed",
        who="every signed-in user, about any user; the administrator",
        query=("is_member", "owner", "paginationKey"),
        answers=(DescribedAnswer(200, answers.Groups, (kii("GroupsRetrievalResponse"),)),),
        errors=(errors.UserNotFound,),
    ),
    groups.get: Operation(
        summary="Read a group",
        who=_MEMBERS,
        answers=(DescribedAnswer(200, answers.GroupAnswer, (kii("GroupRetrievalResponse"),)),),
    ),
    groups.delete: Operation(summary="Delete a group with everything that is the group's", who=_OWNER),
    groups.rename: Operation(
        summary="Rename a group; the body is the bare name",
        who=_OWNER,
        body=DescribedBody(type=groups.Name, example="Crew", media=("text/plain",)),
    ),
    groups.hand_over: Operation(
        summary="Hand a group over to another owner",
        who=_OWNER,
        body=DescribedBody(
            type=groups.GroupOwnerChange,
            example={"owner": "me"},
            media=(kii("GroupOwnerChangeRequest"), JSON),
        ),
        errors=(errors.UserNotFound,),
    ),
    groups.list_members: Operation(
        summary="List the members; beyond 5,000 the answer has a key for the next page",
        who=_MEMBERS,
        query=("paginationKey",),
        answers=(DescribedAnswer(200, answers.Members, (kii("MembersRetrievalResponse"),)),),
        errors=(errors.InvalidInput,),
    ),
    groups.add_member: Operation(
        summary="Add a member; one who is a member already stays one",
        who=_OWNER,
        errors=(errors.UserNotFound,),
    ),
    groups.remove_member: Operation(
        summary="Remove a member; what the right to rested on it ends",
        who="the group's owner, the member and the administrator",
        errors=(errors.UserNotFound, errors.NotAllowed),
    ),
}
